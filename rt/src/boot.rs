//! What happens once, on the first call into the image.
