//! Calls of provider functions. They are pure, and need no configured provider.

use super::dynamic;
use super::session::Session;
use crate::plugin::wire::tfplugin6::DynamicValue;
use crate::plugin::wire::tfplugin6::FunctionError as WireError;
use crate::plugin::wire::tfplugin6::call_function::{Request, Response};
use crate::remote;
use crate::schema::FunctionError;
use crate::value::{Diagnostic, Value};

/// Calls a function.
pub(super) fn call(session: &Session, request: &Request) -> Response {
    match attempt(session, request) {
        Ok(result) => Response { result: Some(result), error: None },
        Err(error) => Response {
            result: None,
            error: Some(WireError {
                text: sentence(&error.text),
                function_argument: error.argument.and_then(|position| i64::try_from(position).ok()),
            }),
        },
    }
}

/// The answer when the function gave none.
pub(super) fn failed(diagnostic: &Diagnostic) -> Response {
    Response { result: None, error: Some(WireError { text: sentence(&text(diagnostic)), function_argument: None }) }
}

fn attempt(session: &Session, request: &Request) -> Result<DynamicValue, FunctionError> {
    let refused = |text: String| FunctionError { text, argument: None };
    let function = session
        .catalog()
        .function(&request.name)
        .ok_or_else(|| refused(format!("This version of the provider has no function {:?}.", request.name)))?;
    if request.arguments.len() != function.parameters.len() {
        let (wanted, given) = (function.parameters.len(), request.arguments.len());
        return Err(refused(format!("{} takes {wanted} arguments, and was given {given}.", function.name)));
    }
    let mut arguments: Vec<Value> = Vec::with_capacity(request.arguments.len());
    for (position, (argument, parameter)) in request.arguments.iter().zip(function.parameters).enumerate() {
        let wrong = |text: String| FunctionError { text, argument: Some(position) };
        let value = dynamic::value(Some(argument), &(parameter.value_type)(), parameter.name).map_err(|it| wrong(text(&it)))?;
        if value.is_null() || !value.is_wholly_known() {
            return Err(wrong(format!("{} must be known, and not null.", parameter.name)));
        }
        arguments.push(value);
    }
    let result = (function.call)(&arguments)?;
    dynamic::encode_value(&result, &(function.returns)()).map_err(|it| refused(text(&it)))
}

/// The text as the host goes on with it: it sets the full stop itself.
fn sentence(text: &str) -> String {
    remote::shown(text).trim_end().trim_end_matches('.').to_owned()
}

fn text(diagnostic: &Diagnostic) -> String {
    format!("{}: {}", diagnostic.summary, diagnostic.detail)
}
