//! Declarators: what stands around a declared name, and makes its type.

use tree_sitter::Node;

use super::{Builder, NESTING_LIMIT, children, one_line};
use crate::sig::header::decl::{CParam, CType, FunctionType};

impl Builder<'_> {
    /// The declared name, and its type around `base`, of which `constant` says whether it is `const`. C writes types inside out.
    pub(super) fn declarator(
        &mut self,
        node: Node<'_>,
        base: CType,
        constant: bool,
        depth: u32,
    ) -> (Option<String>, CType) {
        if depth > NESTING_LIMIT {
            return (None, CType::Other("nested too deep".into()));
        }
        let inner = node.child_by_field_name("declarator").or_else(|| {
            let parts = children(node).into_iter();
            let mut parts = parts
                .filter(|n| n.kind().ends_with("declarator") || n.kind().ends_with("identifier"));
            parts.next()
        });
        let (base, constant) = match node.kind() {
            "identifier" | "field_identifier" | "type_identifier" | "primitive_type" => {
                return (Some(self.text(node).to_owned()), base);
            }
            "pointer_declarator" | "abstract_pointer_declarator" => {
                let own = children(node)
                    .iter()
                    .any(|n| n.kind() == "type_qualifier" && self.text(*n) == "const");
                (
                    CType::Pointer {
                        to: Box::new(base),
                        constant,
                    },
                    own,
                )
            }
            "array_declarator" | "abstract_array_declarator" => {
                let len = node
                    .child_by_field_name("size")
                    .and_then(|n| self.constant(n));
                let len = len.and_then(|n| u64::try_from(n).ok());
                (
                    CType::Array {
                        elem: Box::new(base),
                        len,
                    },
                    constant,
                )
            }
            "function_declarator" | "abstract_function_declarator" => {
                let (params, variadic) = self.params(node, depth + 1);
                let ty = FunctionType {
                    params,
                    result: base,
                    variadic,
                };
                (CType::Function(Box::new(ty)), false)
            }
            "parenthesized_declarator"
            | "abstract_parenthesized_declarator"
            | "attributed_declarator" => (base, constant),
            _ => (
                CType::Other(format!("`{}`", one_line(self.text(node)))),
                false,
            ),
        };
        match inner {
            Some(inner) => self.declarator(inner, base, constant, depth + 1),
            None => (None, base),
        }
    }

    fn params(&mut self, node: Node<'_>, depth: u32) -> (Vec<CParam>, bool) {
        let (mut params, mut variadic) = (Vec::new(), false);
        let list = node
            .child_by_field_name("parameters")
            .map(children)
            .unwrap_or_default();
        for node in list {
            match node.kind() {
                "variadic_parameter" => variadic = true,
                "parameter_declaration" => {
                    let (base, constant) = self
                        .base(node, None)
                        .unwrap_or((CType::Other("without a type".into()), false));
                    let (name, ty) = match node.child_by_field_name("declarator") {
                        Some(part) => self.declarator(part, base, constant, depth),
                        None => (None, base),
                    };
                    // C17 6.7.6.3: arrays and functions as parameters are pointers to what they hold.
                    let ty = match ty {
                        CType::Array { elem, .. } => CType::Pointer { to: elem, constant },
                        CType::Function(_) => CType::Pointer {
                            to: Box::new(ty),
                            constant: false,
                        },
                        ty => ty,
                    };
                    params.push(CParam {
                        name,
                        ty,
                        source: self.source(node),
                    });
                }
                "identifier" => params.push(CParam {
                    name: None,
                    ty: CType::Other(format!("`{}`", one_line(self.text(node)))),
                    source: self.source(node),
                }),
                _ => {}
            }
        }
        if let [only] = &params[..]
            && only.ty.is_void()
            && only.name.is_none()
        {
            params.clear();
        }
        (params, variadic)
    }
}
