//! Signatures: from debug information to the model.
