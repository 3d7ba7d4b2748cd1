//! `--check`: the real `terraform` (or `tofu`) plans what was exported, in a copy that is gone afterwards.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use serde_json::Value as Json;

use super::put;
use crate::remote::shown;
use crate::takeover::export::Folder;
use crate::tool::doctor::settings::Setting;
use crate::tool::terraform::{Outcome, Terraform};

/// The files of the copy for the settings which must not be written anywhere: the provider block with variables, and these.
const OVERRIDE: [&str; 2] = ["check_override.tf", "check_variables.tf"];

/// Tells whether the plan of a folder is nothing but imports, as many as it has objects, and says what else it is.
pub(super) async fn check(folder: &Folder, given: &[Setting]) -> bool {
    match plan(folder, given).await {
        Ok(planned) => {
            eprintln!("{}", planned.sentence());
            for line in &planned.differing {
                eprintln!("{}", shown(line));
            }
            planned.is(folder.count)
        }
        Err(problem) => {
            eprintln!("{}", shown(&problem));
            false
        }
    }
}

async fn plan(folder: &Folder, given: &[Setting]) -> Result<Planned, String> {
    let failed = |error: io::Error| format!("The check could not be run: {error}.");
    let home = tempfile::Builder::new().prefix("mailflow-check-").tempdir().map_err(failed)?;
    let provider = std::env::current_exe().map_err(failed)?;
    let terraform = Terraform::install(home.path(), &provider).map_err(failed)?;
    let copy = home.path().join("copy");
    put(&copy, &folder.files).map_err(failed)?;
    let mut environment: BTreeMap<String, String> =
        folder.secrets.iter().map(|(name, value)| (format!("TF_VAR_{name}"), value.to_owned())).collect();
    let hidden = hidden_settings(folder, given, &mut environment).into_iter().flatten();
    for (name, text) in OVERRIDE.into_iter().zip(hidden) {
        std::fs::write(copy.join(name), text).map_err(failed)?;
    }
    let run = Run { terraform: &terraform, copy: &copy, environment: &environment };
    run.step("init", &["init", "-input=false", "-no-color"]).await?;
    let told = run.step("plan", &["plan", "-input=false", "-no-color", "-lock=false", "-out=plan.bin"]).await?;
    let shown = run.step("show", &["show", "-json", "plan.bin"]).await?;
    let plan: Json = serde_json::from_str(&shown.stdout).map_err(|error| format!("The plan cannot be read: {error}."))?;
    Ok(Planned::of(&plan, &told.stdout))
}

/// The provider block with its secret settings as variables, and these, whose values go into the environment. `None`: there is none.
fn hidden_settings(folder: &Folder, given: &[Setting], environment: &mut BTreeMap<String, String>) -> Option<[String; 2]> {
    let secrets: Vec<(&[String], &str)> = given.iter().filter_map(|setting| Some((setting.path(), setting.secret()?))).collect();
    if secrets.is_empty() {
        return None;
    }
    let mut body: hcl_edit::structure::Body = folder.files.get("providers.tf")?.parse().ok()?;
    let mut variables = String::new();
    for block in body.get_blocks_mut("provider") {
        for (count, (path, value)) in secrets.iter().enumerate() {
            let name = format!("mailflow_check_{count}");
            let _ = writeln!(variables, "variable \"{name}\" {{\n  type      = string\n  sensitive = true\n}}\n");
            set(&mut block.body, path, &name);
            environment.insert(format!("TF_VAR_{name}"), (*value).to_owned());
        }
    }
    let provider = body.into_blocks().find(|block| block.ident.as_str() == "provider")?;
    let mut only = hcl_edit::structure::Body::new();
    only.push(provider);
    Some([only.to_string(), variables])
}

/// Sets an argument to a variable, in the block that a path leads to.
fn set(body: &mut hcl_edit::structure::Body, path: &[String], variable: &str) {
    use hcl_edit::structure::{Attribute, Block};
    use hcl_edit::{Ident, expr::Expression};
    match path {
        [] => {}
        [name] => {
            let value: Expression = format!("var.{variable}").parse().unwrap_or_else(|_| Expression::null());
            body.push(Attribute::new(Ident::new_sanitized(name), value));
        }
        [first, rest @ ..] => {
            if !body.has_blocks(first) {
                body.push(Block::new(Ident::new_sanitized(first)));
            }
            let inner = body.get_blocks_mut(first).next();
            if let Some(inner) = inner {
                inner.body.set_prefer_oneline(false);
                set(&mut inner.body, rest, variable);
            }
        }
    }
}

struct Run<'a> {
    terraform: &'a Terraform,
    copy: &'a Path,
    environment: &'a BTreeMap<String, String>,
}

impl Run<'_> {
    async fn step(&self, name: &str, arguments: &[&str]) -> Result<Outcome, String> {
        let environment: Vec<(&str, &str)> =
            self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let program = self.terraform.name();
        let run = self.terraform.run(self.copy, arguments, &environment).await;
        let outcome = run.map_err(|error| format!("{program} could not be run: {error}."))?;
        if outcome.succeeded() {
            return Ok(outcome);
        }
        let said = if outcome.stderr.trim().is_empty() { &outcome.stdout } else { &outcome.stderr };
        Err(format!("`{program} {name}` over what was exported failed:\n{}", said.trim()))
    }
}

/// What a plan wants to do.
#[derive(Debug, Default)]
struct Planned {
    imports: usize,
    adds: usize,
    changes: usize,
    destroys: usize,
    /// Whatever is more than an import, as the program prints it.
    differing: Vec<String>,
}

impl Planned {
    fn of(plan: &Json, printed: &str) -> Planned {
        let mut planned = Planned::default();
        for one in plan["resource_changes"].as_array().map_or(&[][..], Vec::as_slice) {
            let actions: Vec<&str> = one["change"]["actions"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
            let counted = |action: &str| usize::from(actions.contains(&action));
            planned.imports += usize::from(one["change"]["importing"].is_object());
            planned.adds += counted("create");
            planned.changes += counted("update");
            planned.destroys += counted("delete");
            if actions != ["no-op"] {
                let address = one["address"].as_str().unwrap_or_default();
                let block = block(printed, address);
                planned.differing.push(block.unwrap_or_else(|| format!("{address}: {}", actions.join(", "))));
            }
        }
        planned
    }

    fn is(&self, count: usize) -> bool {
        (self.imports, self.adds, self.changes, self.destroys) == (count, 0, 0, 0) && self.differing.is_empty()
    }

    fn sentence(&self) -> String {
        format!(
            "Plan: {} to import, {} to add, {} to change, {} to destroy.",
            self.imports, self.adds, self.changes, self.destroys
        )
    }
}

/// What the program prints of one object: secrets are hidden there.
fn block(printed: &str, address: &str) -> Option<String> {
    let head = format!("  # {address} ");
    let mut lines = printed.lines().skip_while(|line| !line.starts_with(&head));
    let first = lines.next()?;
    let rest = lines
        .take_while(|line| !line.starts_with("  # ") || line.starts_with("  # ("))
        .take_while(|line| !line.starts_with("Plan: "));
    let block: Vec<&str> = std::iter::once(first).chain(rest).collect();
    Some(block.join("\n").trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "  # a.one will be updated in-place\n  # (imported from \"1\")\n  ~ resource \"a\" \"one\" {\n      ~ x = 1 -> 2\n    }\n\n  # a.two will be imported\n    resource \"a\" \"two\" {\n    }\n\nPlan: 2 to import, 0 to add, 1 to change, 0 to destroy.\n";

    #[test]
    fn a_plan_holds_only_if_it_imports_everything_and_nothing_else() {
        let import = |address: &str, action: &str| serde_json::json!({ "address": address, "change": { "actions": [action], "importing": { "id": "1" } } });
        let both =
            Planned::of(&serde_json::json!({ "resource_changes": [import("a.one", "no-op"), import("a.two", "no-op")] }), "");
        assert!(both.is(2) && !both.is(3));
        let changed = Planned::of(
            &serde_json::json!({ "resource_changes": [import("a.one", "update"), import("a.two", "no-op")] }),
            PRINTED,
        );
        assert!(!changed.is(2));
        assert_eq!(changed.sentence(), "Plan: 2 to import, 0 to add, 1 to change, 0 to destroy.");
        assert_eq!(changed.differing.len(), 1);
        assert!(changed.differing[0].ends_with("~ x = 1 -> 2\n    }"), "{}", changed.differing[0]);
    }
}
