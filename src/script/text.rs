//! What scripts are put together from: lines, calls and lists.

use std::fmt::Arguments;

/// A script in the making.
#[derive(Default)]
pub struct Script(pub Vec<String>);

// Not inlined: there are hundreds of calls, and the page loads each.
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

    /// Two blank lines, as they stand around definitions.
    #[inline(never)]
    pub fn apart(&mut self) {
        while self.0.last().is_some_and(String::is_empty) {
            self.0.pop();
        }
        self.lines("\n\n");
    }

    /// A blank line, at least.
    #[inline(never)]
    pub fn gap(&mut self) {
        if !self.0.last().is_some_and(String::is_empty) {
            self.line("");
        }
    }

    /// A function or class.
    pub fn define(&mut self, text: &str) {
        self.apart();
        self.lines(text);
        self.apart();
    }

    /// A call with an argument a line.
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

/// `name=value`, unless that is what the framework takes by itself.
#[inline(never)]
pub fn unless(arguments: &mut Vec<String>, name: &str, value: f64, usual: f64) {
    if value != usual {
        arguments.push(format!("{name}={value:?}"));
    }
}

/// `name=True`, where it is.
#[inline(never)]
pub fn flag(arguments: &mut Vec<String>, name: &str, on: bool) {
    if on {
        arguments.push(format!("{name}=True"));
    }
}
