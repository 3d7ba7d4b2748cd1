//! Compiles the wire definitions in `proto/` to Rust, in this process: no `protoc` is needed.
//!
//! The descriptor of all three files is left in `OUT_DIR/descriptor.bin`, where a test compares it with `proto/facts.txt`.

use std::error::Error;
use std::path::PathBuf;

const FILES: [&str; 3] = ["tfplugin6.proto", "plugin.proto", "health.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);

    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true).open_files(FILES)?;
    std::fs::write(out.join("descriptor.bin"), compiler.encode_file_descriptor_set())?;

    // Maps are sorted, so that equal answers are equal bytes.
    tonic_prost_build::configure().btree_map(".").compile_fds(compiler.file_descriptor_set())?;
    // The profile that is built small: functions of the same code are kept once. The linker of this target can do that.
    let is_small = std::env::var("OPT_LEVEL").is_ok_and(|level| matches!(level.as_str(), "s" | "z"));
    if is_small && std::env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu") {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    }
    Ok(())
}
