//! Words an exception of a cmdlet the way the service answers it.
//!
//! `error.details[0].message` comes in three shapes: piped text, a JSON text of PowerShell's serializer, and a JSON
//! text with `TypeName`. Which one a call meets is not to be relied on, so the shapes take turns: the n-th error of a
//! kind has the (n + kind)-th shape. Binding errors of a parameter's type carry no `details` at all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::reply::Reply;

/// An exception of a cmdlet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exception {
    /// What went wrong.
    pub(crate) kind: ExceptionKind,
    /// The service's words.
    pub(crate) message: String,
}

/// The exceptions that the stand-in knows, by their .NET types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ExceptionKind {
    /// No object has that identity.
    NotFound,
    /// The name is taken.
    AlreadyExists,
    /// A value, or a combination of values, is refused.
    Argument,
    /// The rule's place is out of range.
    Priority,
    /// The state of the organization forbids it.
    InvalidOperation,
    /// A check of the cmdlet's own fails.
    Validation,
    /// The organization is dehydrated.
    Dehydrated,
    /// A parameter is not known to the cmdlet.
    ParameterSet,
    /// A mandatory parameter is missing.
    Missing,
    /// A value cannot be turned into the parameter's type.
    Transformation,
    /// The request itself is not one.
    Request,
    /// A link to the next page leads nowhere.
    Pagination,
}

/// The shapes of `error.details[0].message`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `Ex6F9304|Namespace.TypeException|words`; the first field may be empty.
    Piped,
    /// A JSON text with `ClassName`, `Message` and `localizedString.stringId`.
    ClassName,
    /// A JSON text with `Message`, `TypeName`, `StackTrace` and `InnerError`.
    TypeName,
}

/// Remembers how often each kind of exception was answered.
#[derive(Debug, Default)]
pub(crate) struct Rotation {
    seen: BTreeMap<ExceptionKind, usize>,
}

impl Exception {
    /// No object has that identity.
    pub(crate) fn not_found(identity: &str) -> Self {
        Self {
            kind: ExceptionKind::NotFound,
            message: format!(
                "The operation couldn't be performed because object '{identity}' couldn't be found on \
                 'AM4PR07A001DC03.EURPR07A001.PROD.OUTLOOK.COM'."
            ),
        }
    }

    /// The name is taken.
    pub(crate) fn already_exists(distinguished_name: &str) -> Self {
        Self { kind: ExceptionKind::AlreadyExists, message: format!("The object '{distinguished_name}' already exists.") }
    }

    /// A value or a combination of values is refused.
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self { kind: ExceptionKind::Argument, message: message.into() }
    }

    /// The state of the organization forbids it.
    pub(crate) fn invalid_operation(message: impl Into<String>) -> Self {
        Self { kind: ExceptionKind::InvalidOperation, message: message.into() }
    }

    /// A check of the cmdlet's own fails.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self { kind: ExceptionKind::Validation, message: message.into() }
    }

    /// The rule's place must lie between 0 and `last`.
    pub(crate) fn priority(last: usize) -> Self {
        Self {
            kind: ExceptionKind::Priority,
            message: format!(
                "The specified rule priority is invalid. Use a value between '0' (highest priority), and '{last}' (lowest priority)."
            ),
        }
    }

    /// The organization must be customized first.
    pub(crate) fn dehydrated() -> Self {
        Self {
            kind: ExceptionKind::Dehydrated,
            message: "The command you tried to run isn't currently allowed in your organization. To run this command, you first \
                      need to run the command: Enable-OrganizationCustomization."
                .into(),
        }
    }

    /// A parameter is not known to the cmdlet.
    pub(crate) fn parameter_set() -> Self {
        Self {
            kind: ExceptionKind::ParameterSet,
            message:
                "Parameter set cannot be resolved using the specified named parameters. One or more parameters issued cannot \
                      be used together or an insufficient number of parameters were provided."
                    .into(),
        }
    }

    /// Mandatory parameters are missing.
    pub(crate) fn missing(parameters: &[&str]) -> Self {
        Self {
            kind: ExceptionKind::Missing,
            message: format!(
                "Cannot process command because of one or more missing mandatory parameters: {}.",
                parameters.join(" ")
            ),
        }
    }

    /// A value cannot be turned into the parameter's type.
    pub(crate) fn transformation(parameter: &str, reason: &str) -> Self {
        Self {
            kind: ExceptionKind::Transformation,
            message: format!("Cannot process argument transformation on parameter '{parameter}'. {reason}"),
        }
    }

    /// The request itself is not one.
    pub(crate) fn request(message: impl Into<String>) -> Self {
        Self { kind: ExceptionKind::Request, message: message.into() }
    }

    /// A link to the next page leads nowhere.
    pub(crate) fn pagination() -> Self {
        Self {
            kind: ExceptionKind::Pagination,
            message: "Expired or Invalid pagination request. Default Expiry time is 00:30:00".into(),
        }
    }
}

impl ExceptionKind {
    /// The .NET type, in full.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::NotFound => "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException",
            Self::AlreadyExists => "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException",
            Self::Argument => "System.ArgumentException",
            Self::Priority => "Microsoft.Exchange.MessagingPolicies.Rules.Tasks.InvalidPriorityException",
            Self::InvalidOperation => "System.InvalidOperationException",
            Self::Validation => "Microsoft.Exchange.ManagementTasks.ValidationException",
            Self::Dehydrated => "Microsoft.Exchange.Configuration.Tasks.InvalidOperationInDehydratedContextException",
            Self::ParameterSet => "Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException",
            Self::Missing => "System.Management.Automation.ParameterBindingException",
            Self::Transformation => "Microsoft.Exchange.AdminApi.CommandInvocation.ParameterTransformationException",
            Self::Request => "Microsoft.OData.ODataException",
            Self::Pagination => "Microsoft.Exchange.AdminApi.PaginationException",
        }
    }

    /// The code in front of the piped text; some exceptions have none.
    fn code(self) -> &'static str {
        match self {
            Self::NotFound => "Ex6F9304",
            Self::AlreadyExists => "Ex1C4CFC",
            Self::Priority => "Ex8B2A4E",
            Self::Dehydrated => "ExA5E0D1",
            _ => "",
        }
    }

    /// The shape that does not change; most kinds have none.
    fn fixed(self) -> Option<Shape> {
        matches!(self, Self::ParameterSet | Self::Missing).then_some(Shape::Piped)
    }
}

impl Rotation {
    /// Answers an exception; `pinned` holds all of them to one shape.
    pub(crate) fn answer(&mut self, exception: &Exception, pinned: Option<Shape>) -> Reply {
        let kind = exception.kind;
        let turn = self.seen.entry(kind).or_default();
        let shape =
            kind.fixed().or(pinned).unwrap_or([Shape::Piped, Shape::ClassName, Shape::TypeName][(*turn + kind as usize) % 3]);
        *turn += 1;
        answer(exception, shape)
    }
}

/// Words the exception in the shape.
fn answer(exception: &Exception, shape: Shape) -> Reply {
    let (kind, message) = (exception.kind, exception.message.as_str());
    let type_name = kind.type_name();
    let internal = json!({ "message": message, "type": type_name, "stacktrace": "" });
    let inner = json!({ "message": "Invalid Operation", "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException",
        "stacktrace": "", "internalexception": internal });
    let body = match kind {
        ExceptionKind::Transformation => {
            json!({ "error": { "code": "BadRequest", "message": "Invalid Operation", "innererror": inner }, "@adminapi.warnings": [] })
        }
        ExceptionKind::Request | ExceptionKind::Pagination => {
            json!({ "error": { "code": "BadRequest", "message": message, "innererror": inner } })
        }
        _ => {
            let details = |text: String| json!([{ "code": "Context", "target": "", "message": text }]);
            match shape {
                Shape::Piped => json!({ "error": { "code": "BadRequest", "message": "Error executing cmdlet",
                    "details": details(format!("{}|{type_name}|{message}", kind.code())), "innererror": inner } }),
                Shape::ClassName => {
                    let text = json!({ "ClassName": type_name, "Message": message, "Data": null, "InnerException": null,
                        "localizedString": { "stringId": kind.code() } });
                    json!({ "error": { "code": "BadRequest", "message": "Invalid Operation", "details": details(text.to_string()) },
                        "@adminapi.warnings": [] })
                }
                Shape::TypeName => {
                    let text = json!({ "Message": message, "TypeName": type_name, "StackTrace": null, "InnerError": null });
                    json!({ "error": { "code": "BadRequest", "message": "Error executing cmdlet", "details": details(text.to_string()),
                        "innererror": { "message": "Error executing cmdlet", "type": "", "stacktrace": "" } } })
                }
            }
        }
    };
    // 404 occurs for a missing object and 400 is the rule: a client has to look at the type.
    let status = if kind == ExceptionKind::NotFound && shape == Shape::TypeName { 404 } else { 400 };
    let short = type_name.rsplit('.').next().unwrap_or(type_name);
    Reply::json(status, &body).header("x-ExceptionType", short).header("x-ExceptionTargetType", short)
}

/// Words an error of Graph.
pub(crate) fn graph(status: u16, code: &str, message: &str, request_id: &str) -> Reply {
    let inner: Value = json!({ "date": "2026-07-24T19:00:00", "request-id": request_id, "client-request-id": request_id });
    Reply::json(status, &json!({ "error": { "code": code, "message": message, "innerError": inner } }))
}
