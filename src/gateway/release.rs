//! The AsyncOS release of the gateway, and whether changes are made on it.

use std::sync::LazyLock;

use regex::Regex;

use crate::remote::{Error, Kind};

/// The major releases whose dialogs are known.
pub const SUPPORTED: std::ops::RangeInclusive<u32> = 13..=16;

static BANNER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\bAsyncOS\s+(?:version\s+)?v?(\d+\.\d+(?:\.\d+)*(?:-\d+)?)"));
static VERSION: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?im)^\s*Version:\s*v?(\d+\.\d+(?:\.\d+)*(?:-\d+)?)"));
static BUILD: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\bAsyncOS\s+[^\n]*\bbuild\s+(\d+)"));

static MANAGER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?im)^\s*(?:AsyncOS\b.*\bfor|Welcome to)\b.*(?:Management Appliance|Email and Web Manager|\bCisco\s+(?:IronPort\s+)?S?M[A]?\d{2,4}[A-Z]*\b)",
    )
});

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant, and a test uses it")
}

/// Finds the release in a login banner (`AsyncOS 11.0.1 for Cisco IronPort C170 build 027`) or in what `version` prints
/// (`Version: 15.0.0-104`): the number, with the build where it is told.
pub fn find(text: &str) -> Option<String> {
    if let Some(found) = BANNER.captures(text).and_then(|found| found.get(1)) {
        let number = found.as_str().to_owned();
        let build = BUILD.captures(text).and_then(|found| found.get(1)).filter(|_| !number.contains('-'));
        return Some(build.map_or(number.clone(), |build| format!("{number}-{}", build.as_str())));
    }
    VERSION.captures(text).and_then(|found| found.get(1)).map(|number| number.as_str().to_owned())
}

/// Refuses a Secure Email and Web Manager, which speaks as a gateway does and has none of its tables.
pub fn check_product(banner: &str) -> Result<(), Error> {
    if MANAGER.is_match(banner) {
        let message = "The host is a Cisco Secure Email and Web Manager (Security Management Appliance), not an email gateway.";
        return Err(Error::new(Kind::Denied, message)
            .hint("Set the `host` of the provider's \"gateway\" block to an email gateway. Nothing was changed."));
    }
    Ok(())
}

/// Refuses changes on a release whose dialogs are not known; reading is allowed on all.
pub fn check_for_writes(release: Option<&str>) -> Result<(), Error> {
    let major = release.and_then(|release| release.split('.').next()).and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| SUPPORTED.contains(&major)) {
        return Ok(());
    }
    let message = match release {
        Some(release) => format!("The gateway runs AsyncOS {release}, on which this provider makes no changes."),
        None => "The gateway does not tell its AsyncOS release, and this provider makes no changes on a release that it does not know.".to_owned(),
    };
    let hint =
        format!("Changes are made on AsyncOS {} to {}. Reading works on every release.", SUPPORTED.start(), SUPPORTED.end());
    Err(Error::new(Kind::Invalid, message).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_read_from_the_banner_or_from_version() {
        for (text, release) in [
            ("Last login: x\nAsyncOS 11.0.1 for Cisco IronPort C170 build 027\nWelcome", Some("11.0.1-027")),
            ("AsyncOS 15.0.0 for Cisco C100V build 104", Some("15.0.0-104")),
            (
                "Current Version\n===============\nProduct: Cisco C100V\nVersion: 14.2.1-015\nBuild Date: 2022-10-01",
                Some("14.2.1-015"),
            ),
            ("Welcome to the mail gateway", None),
        ] {
            assert_eq!(find(text).as_deref(), release, "{text}");
        }
    }

    #[test]
    fn rg13_a_manager_of_gateways_is_told_by_its_banner() {
        for banner in [
            "AsyncOS 15.0.0 for Cisco M100V build 334\nWelcome to the Cisco M100V Secure Email and Web Manager Virtual\n",
            "Last login: x\nAsyncOS 12.0.1 for Cisco M690 build 011\nWelcome to the Cisco M690 Content Security Management Appliance",
            "Welcome to the Cisco IronPort M670 Messaging Gateway(tm) Security Management Appliance",
        ] {
            let error = check_product(banner).expect_err(banner);
            assert!(error.message.contains("Secure Email and Web Manager"), "{error}");
        }
        for banner in [
            "AsyncOS 11.0.1 for Cisco IronPort C170 build 027\nWelcome to the Cisco IronPort C170 Messaging Gateway(tm) Appliance",
            "AsyncOS 15.0.0 for Cisco C100V build 104\nWelcome to the Cisco C100V Secure Email Gateway Virtual Appliance",
            "This gateway reports to the Secure Email and Web Manager.\nAsyncOS 15.0.0 for Cisco C100V build 104",
        ] {
            assert_eq!(check_product(banner), Ok(()), "{banner}");
        }
    }

    #[test]
    fn g17_changes_are_refused_on_a_release_that_is_not_known() {
        for release in ["13.0.0-392", "14.2.1", "16.0.3-001"] {
            assert_eq!(check_for_writes(Some(release)), Ok(()), "{release}");
        }
        for release in [Some("11.0.1-027"), Some("17.0"), Some("x"), None] {
            let error = check_for_writes(release).expect_err("refused");
            assert!(error.to_string().contains("13 to 16"), "{error}");
        }
    }
}
