//! The binary: Terraform's plugin when Terraform starts it, a tool when a person does.

use std::process::ExitCode;
use std::sync::Arc;

use mailflow::plugin::{Refusal, serve_plugin};
use mailflow::provider::{Environment, Mailflow};
use mailflow::tool;

fn main() -> ExitCode {
    if std::env::args_os().len() > 1 {
        return tool::run();
    }
    match serve_plugin(Arc::new(Mailflow::new(Environment::of_process()))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Refusal::ByHand) => tool::explain(),
        Err(refusal) => {
            eprintln!("terraform-provider-mailflow: {refusal}");
            ExitCode::FAILURE
        }
    }
}
