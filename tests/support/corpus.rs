//! Reads `tests/fixtures/corpus.txt`. The tests use its experiments, and `cargo xtask frameworks --corpus` runs them.

/// An experiment of the corpus: Example 1 with these settings, each `field=value`.
pub struct Case<'a> {
    pub name: &'a str,
    /// The settings that are common to all cases, then the case's own.
    pub settings: Vec<&'a str>,
}

/// Parses the corpus. A case's name is at the start of a line, and each of its settings on a line below it, after two spaces. The
/// settings of `*` are common to all cases, and `*` is no case. Lines that start with `#` are comments.
pub fn corpus(text: &str) -> Vec<Case<'_>> {
    let mut common = Vec::new();
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '*'])) {
        match (line.strip_prefix("  "), cases.last_mut()) {
            (Some(setting), Some(case)) => case.settings.push(setting),
            (Some(setting), None) => common.push(setting),
            (None, _) => cases.push(Case { name: line, settings: common.clone() }),
        }
    }
    cases
}
