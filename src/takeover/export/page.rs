//! The page about a folder.

use std::fmt::Write as _;

use super::Entry;
use super::variables::Variables;

/// The page about the folder.
pub(super) fn page(entries: &[Entry<'_>], variables: &Variables, left_out: &[String]) -> String {
    let mut page = "# What was taken over\n\nThis folder describes what stands at the services. `terraform init` and `terraform plan` show nothing but imports; \
                    `terraform apply` takes the objects over without a change. Afterwards `imports.tf` can be removed.\n\nLogins come from the \
                    environment, as for the provider.\n\n## Objects\n\n| kind | count |\n|---|---|\n"
        .to_owned();
    for kind in entries.chunk_by(|one, other| one.resource.name == other.resource.name) {
        let noun = kind.first().map_or("", |entry| entry.resource.noun);
        let _ = writeln!(page, "| {noun} | {} |", kind.len());
    }
    if !variables.is_empty() {
        page.push_str(
            "\n## Secrets\n\nNo secret is in these files: each is a variable. One with a default may be left out as long as the object exists: the text is then kept as it \
             stands. To make the object anew, set it.\n\n",
        );
        for (name, about) in variables.told() {
            let _ = writeln!(page, "- `{name}`: {}", variables.masked(about));
        }
    }
    if !left_out.is_empty() {
        page.push_str("\n## Left out\n\n");
        for line in left_out {
            let _ = writeln!(page, "- {}", variables.masked(line));
        }
    }
    page
}
