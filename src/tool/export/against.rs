//! `--against`: what another state or folder manages already.

use std::fs;
use std::path::{Path, PathBuf};

use crate::provider::CATALOG;
use crate::takeover::export::Managed;

/// Reads the output of `terraform show -json`, or a folder of configuration with the folders below it.
pub(super) fn read(path: &Path) -> Result<Managed, String> {
    let mut managed = Managed::new(&CATALOG);
    let told = |at: &Path, problem: String| format!("--against {}: {problem}", at.display());
    if !path.is_dir() {
        let text = fs::read_to_string(path).map_err(|error| told(path, format!("it cannot be read: {error}")))?;
        managed.add_state(&text).map_err(|problem| told(path, problem))?;
        return Ok(managed);
    }
    let mut folders = vec![path.to_owned()];
    let mut has_any = false;
    while let Some(folder) = folders.pop() {
        let (files, below) = contents(&folder).map_err(|error| told(&folder, format!("it cannot be read: {error}")))?;
        has_any |= !files.is_empty();
        managed.add_files(&files).map_err(|problem| told(&folder, problem))?;
        folders.extend(below);
    }
    if has_any { Ok(managed) } else { Err(told(path, "there is no .tf file in it".to_owned())) }
}

/// The files of a folder with their texts, and the folders in it.
type Contents = (Vec<(String, String)>, Vec<PathBuf>);

/// The names and texts of the files of a folder that say something, and the folders in it.
fn contents(folder: &Path) -> std::io::Result<Contents> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    let mut paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        // Folders with a dot belong to programs: `.terraform` has copies of modules.
        if path.is_dir() {
            if !name.starts_with('.') {
                folders.push(path);
            }
            continue;
        }
        let says = [".tf", ".tf.json", ".tofu", ".tofu.json", ".auto.tfvars"].iter().any(|end| name.ends_with(end));
        if says || name == "terraform.tfvars" {
            files.push((name.to_owned(), fs::read_to_string(&path)?));
        }
    }
    Ok((files, folders))
}
