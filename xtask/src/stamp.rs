//! Skips work whose inputs and outputs have not changed since it was last done.

use anyhow::{Context, Result};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::project::Project;

/// Folders that tools write inside a folder of sources: they are no input of any step.
const NOT_INPUT: [&str; 5] = ["node_modules", "dist", "test-results", "playwright-report", ".git"];

/// A record of a step: a file with one fingerprint of its inputs and one of its outputs.
pub struct Stamp {
    file: PathBuf,
    inputs: Vec<PathBuf>,
    outputs: Vec<PathBuf>,
}

impl Stamp {
    /// `inputs` and `outputs` are files or folders, compared by their contents, never by their times.
    pub fn new(project: &Project, name: &str, inputs: &[&Path], outputs: &[&Path]) -> Self {
        let owned = |paths: &[&Path]| paths.iter().map(|path| path.to_path_buf()).collect();
        Self {
            file: project.cache().join(format!("{name}.stamp")),
            inputs: owned(inputs),
            outputs: owned(outputs),
        }
    }

    pub fn is_fresh(&self) -> bool {
        let exist = self.outputs.iter().all(|path| path.exists());
        exist
            && self
                .now()
                .is_ok_and(|now| fs::read_to_string(&self.file).is_ok_and(|then| then == now))
    }

    /// Records the inputs and outputs; call it when the work is done.
    pub fn refresh(&self) -> Result<()> {
        fs::create_dir_all(self.file.parent().context("a stamp lies in a folder")?)?;
        fs::write(&self.file, self.now()?)?;
        Ok(())
    }

    fn now(&self) -> Result<String> {
        Ok(format!(
            "inputs {:016x}\noutputs {:016x}\n",
            fingerprint(&self.inputs)?,
            fingerprint(&self.outputs)?
        ))
    }
}

/// A hash of the names and contents of files and folders.
fn fingerprint(paths: &[PathBuf]) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        absorb(path, &mut hasher).with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(hasher.finish())
}

fn absorb(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    path.file_name().hash(hasher);
    if path.is_dir() {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        entries.retain(|entry| !NOT_INPUT.iter().any(|name| entry.ends_with(name)));
        entries.sort();
        entries.len().hash(hasher);
        entries.iter().try_for_each(|entry| absorb(entry, hasher))
    } else {
        fs::read(path)?.hash(hasher);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("overfit-lab-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("node_modules")).unwrap();
        folder
    }

    #[test]
    fn work_is_skipped_only_while_inputs_and_outputs_are_as_they_were() {
        let folder = folder("stamp");
        let [input, output] = ["input", "output"].map(|name| folder.join(name));
        let stamp = Stamp {
            file: folder.join("cache/stamp"),
            inputs: vec![input.clone()],
            outputs: vec![output.clone()],
        };
        fs::write(&input, "1").unwrap();
        assert!(!stamp.is_fresh(), "never done");

        fs::write(&output, "made of 1").unwrap();
        stamp.refresh().unwrap();
        assert!(stamp.is_fresh(), "just done");

        fs::write(&input, "2").unwrap();
        assert!(!stamp.is_fresh(), "an input changed");
        fs::write(&input, "1").unwrap();
        assert!(stamp.is_fresh(), "the input is what it was, if newer");

        fs::write(&output, "written by something else").unwrap();
        assert!(!stamp.is_fresh(), "an output changed");
        fs::remove_file(&output).unwrap();
        assert!(!stamp.is_fresh(), "an output is gone");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_is_its_files_names_and_contents_without_what_tools_write() {
        let folder = folder("fingerprint");
        let print = || fingerprint(std::slice::from_ref(&folder)).unwrap();
        fs::write(folder.join("a.ts"), "1").unwrap();
        let before = print();
        fs::write(folder.join("node_modules/cache"), "anything").unwrap();
        assert_eq!(print(), before);
        fs::rename(folder.join("a.ts"), folder.join("b.ts")).unwrap();
        assert_ne!(print(), before);
        fs::remove_dir_all(folder).unwrap();
    }
}
