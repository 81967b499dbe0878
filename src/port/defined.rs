//! The C functions that Go calls: each calls one of C's, under a name of its own.

/// A C function that calls another.
pub(super) struct Defined<'d> {
    pub name: &'d str,
    pub symbol: &'d str,
    pub params: &'d [String],
    pub result: &'d str,
    pub void: bool,
}

impl Defined<'_> {
    fn takes(&self) -> String {
        match self.params.is_empty() {
            true => "void".to_owned(),
            false => self.params.join(", "),
        }
    }

    fn invoked(&self) -> String {
        let args: Vec<String> = (0..self.params.len()).map(|n| format!("p{n}")).collect();
        format!("{}({})", self.name, args.join(", "))
    }

    pub fn plain(&self) -> String {
        let (result, symbol, takes) = (self.result, self.symbol, self.takes());
        let gives = if self.void { "" } else { "return " };
        format!(
            "{VISIBLE} {result} {symbol}({takes}) {{ {gives}{}; }}\n",
            self.invoked()
        )
    }

    /// It gives what `errno` is behind the result.
    pub fn with_errno(&self) -> String {
        let (symbol, takes, invoked) = (self.symbol, self.takes(), self.invoked());
        let (field, set) = match self.void {
            true => (String::new(), ""),
            false => (format!("{} r; ", self.result), "out.r = "),
        };
        format!(
            "struct {symbol} {{ {field}int e; }};\n{VISIBLE} struct {symbol} {symbol}({takes}) {{\n\tstruct {symbol} out;\n\terrno = 0;\n\t{set}{invoked};\n\tout.e = errno;\n\treturn out;\n}}\n"
        )
    }
}

/// What makes an entry of an image of a function, whatever the flags of the package say.
pub(super) const VISIBLE: &str = "__attribute__((visibility(\"default\"), used))";
