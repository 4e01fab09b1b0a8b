//! The ways in which files change under a running program.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// How often a burst of renames replaces a file.
const BURST: usize = 20;

/// How one file is given another content.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// The file is truncated and written again, as `>` of a shell does.
    InPlace,
    /// Another file takes its name, as careful editors do.
    RenameOver,
    /// Many files take its name, one after the other without a pause, and the last one stays.
    ManyRenames,
}

pub(crate) const WAYS: [Way; 3] = [Way::InPlace, Way::RenameOver, Way::ManyRenames];

impl Way {
    pub(crate) fn write(self, path: &Path, text: &str) {
        match self {
            Self::InPlace => fs::write(path, text).unwrap(),
            Self::RenameOver => rename_over(path, text),
            Self::ManyRenames => {
                for blanks in 0..BURST {
                    rename_over(path, &format!("{text}{}", "\n".repeat(BURST - blanks)));
                }
                rename_over(path, text);
            }
        }
    }
}

fn rename_over(path: &Path, text: &str) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let next = path.with_file_name(format!(".{name}.next"));
    fs::write(&next, text).unwrap();
    fs::rename(next, path).unwrap();
}

/// A folder that is a Kubernetes `ConfigMap`: what the kubelet does to the folder of such a volume.
///
/// Its files are links through `..data` into a folder of one version. A new version is another folder, and one
/// rename of `..data` makes all of it visible at once.
#[derive(Debug)]
pub(crate) struct ConfigMap {
    folder: PathBuf,
    version: usize,
}

impl ConfigMap {
    /// On a folder that is empty so far.
    pub(crate) fn new(folder: PathBuf) -> Self {
        assert!(fs::read_dir(&folder).unwrap().next().is_none());
        Self { folder, version: 0 }
    }

    pub(crate) fn publish(&mut self, files: &[(&str, String)]) {
        let at = |name: &str| self.folder.join(name);
        let (old, new) = (self.version, self.version + 1);
        self.version = new;
        let folder_of = |version: usize| format!("..2026_10_01_{version}");
        fs::create_dir(at(&folder_of(new))).unwrap();
        for (name, text) in files {
            fs::write(at(&folder_of(new)).join(name), text).unwrap();
        }
        symlink(folder_of(new), at("..data_tmp")).unwrap();
        fs::rename(at("..data_tmp"), at("..data")).unwrap();
        for (name, _) in files {
            if fs::symlink_metadata(at(name)).is_err() {
                symlink(format!("..data/{name}"), at(name)).unwrap();
            }
        }
        for entry in fs::read_dir(&self.folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let stays = name.starts_with("..") || files.iter().any(|(file, _)| *file == name);
            if !stays {
                fs::remove_file(at(&name)).unwrap();
            }
        }
        if old > 0 {
            fs::remove_dir_all(at(&folder_of(old))).unwrap();
        }
    }
}
