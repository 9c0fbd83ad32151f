//! The building blocks of scripts: lines, calls and arguments.

use std::fmt::Arguments;

/// The lines of a script under construction.
#[derive(Default)]
pub struct Script(pub Vec<String>);

// Not inlined: there are hundreds of calls, and inlining would make the page's wasm larger.
impl Script {
    #[inline(never)]
    pub fn line(&mut self, line: &str) {
        self.0.push(line.into());
    }

    /// A line from `format_args!`.
    #[inline(never)]
    pub fn add(&mut self, line: Arguments) {
        self.0.push(line.to_string());
    }

    /// Several lines at once.
    #[inline(never)]
    pub fn lines(&mut self, text: &str) {
        self.0.extend(text.lines().map(String::from));
    }

    /// Two blank lines, as around a Python definition.
    #[inline(never)]
    pub fn apart(&mut self) {
        while self.0.last().is_some_and(String::is_empty) {
            self.0.pop();
        }
        self.lines("\n\n");
    }

    /// A blank line, unless the script ends with one.
    #[inline(never)]
    pub fn gap(&mut self) {
        if !self.0.last().is_some_and(String::is_empty) {
            self.line("");
        }
    }

    /// A function or class, with two blank lines around it.
    pub fn define(&mut self, text: &str) {
        self.apart();
        self.lines(text);
        self.apart();
    }

    /// A call with one argument per line.
    pub fn long_call(&mut self, start: &str, arguments: &[String], end: &str) {
        self.line(start);
        for argument in arguments {
            self.0.push(format!("    {argument},"));
        }
        self.line(end);
    }
}

/// `name(first, second=...)`.
#[inline(never)]
pub fn call(name: &str, arguments: &[String]) -> String {
    format!("{name}({})", arguments.join(", "))
}

/// `name=value`, unless `value` is the framework's default, `usual`.
#[inline(never)]
pub fn unless(arguments: &mut Vec<String>, name: &str, value: f64, usual: f64) {
    if value != usual {
        arguments.push(format!("{name}={value:?}"));
    }
}

/// `name=True`, where `on` is true.
#[inline(never)]
pub fn flag(arguments: &mut Vec<String>, name: &str, on: bool) {
    if on {
        arguments.push(format!("{name}=True"));
    }
}
