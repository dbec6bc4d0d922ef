//! GetParameter.

use runbook_modules::error::{CallError, Class};
use serde_json::Value;

use super::parameter::Get;
use crate::live::{Call, Clients, Sent, classify, convert::Described};

pub(super) struct GetParameter;

impl Call for GetParameter {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Get { name, with_decryption } = sent.typed()?;
        let request = clients.ssm.get_parameter().name(name).set_with_decryption(with_decryption);
        let answer = request.send().await.map_err(classify)?;
        let Some(found) = answer.parameter() else {
            return Err(CallError::new(Class::Unknown, "NoParameter", "the answer has no parameter in it"));
        };
        let described = Described::new()
            .text("name", found.name())
            .text("type", found.r#type().map(|kind| kind.as_str()))
            .text("value", found.value())
            .value("version", Some(found.version()))
            .text("arn", found.arn())
            .text("data_type", found.data_type())
            .time("last_modified_date", found.last_modified_date());
        Ok(described.done())
    }
}

#[cfg(test)]
mod tests {
    use runbook_modules::error::Class;
    use serde_json::json;

    use crate::{
        live::testing::{Wire, json_answer, sent, tags},
        ssm::call,
    };

    #[tokio::test]
    async fn get_parameter_asks_for_the_value_in_clear() {
        let parameter = json!({
            "Name": "/prod/db", "Type": "SecureString", "Value": "hidden", "Version": 3, "DataType": "text",
            "ARN": "arn:aws:ssm:us-east-1:123456789012:parameter/prod/db", "LastModifiedDate": 1_763_700_000,
        });
        let wire = Wire::answering([json_answer(200, json!({ "Parameter": parameter }))]);
        let (input, tags) = (json!({ "name": "/prod/db", "with_decryption": true }), tags());
        let found = call("ssm.get_parameter").unwrap().call(&wire.clients, &sent(&input, &tags)).await.unwrap();
        assert_eq!(
            (&found["type"], &found["value"], &found["version"]),
            (&json!("SecureString"), &json!("hidden"), &json!(3))
        );
        assert_eq!(found["arn"], "arn:aws:ssm:us-east-1:123456789012:parameter/prod/db");
        let seen = &wire.seen()[0];
        assert_eq!(seen.target, "AmazonSSM.GetParameter");
        assert_eq!(seen.json(), json!({ "Name": "/prod/db", "WithDecryption": true }));
    }

    #[tokio::test]
    async fn an_answer_that_cannot_be_read_is_not_shown() {
        let (input, tags) = (json!({ "name": "/prod/db", "with_decryption": true }), tags());
        for body in [
            r#"{"Parameter": {"Value": "hidden", "Version": "#,
            r#"{"Parameter": {"Value": "hidden", "Version": "x"}}"#,
        ] {
            let wire = Wire::answering([(200, body.to_owned())]);
            let error = call("ssm.get_parameter").unwrap().call(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
            assert_eq!(error.class, Class::Unknown, "{error}");
            assert!(!error.to_string().contains("hidden") && error.message.len() > 20, "{error}");
        }
        let wire = Wire::answering([json_answer(200, json!({}))]);
        let error = call("ssm.get_parameter").unwrap().call(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
        assert_eq!(error.code, "NoParameter");
    }

    #[tokio::test]
    async fn one_that_does_not_exist_is_not_found() {
        let error = json!({ "__type": "ParameterNotFound", "message": "Parameter x not found." });
        let wire = Wire::answering([json_answer(400, error)]);
        let (input, tags) = (json!({ "name": "x" }), tags());
        let error = call("ssm.get_parameter").unwrap().call(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (Class::NotFound, "ParameterNotFound"));
        assert_eq!(wire.seen()[0].json(), json!({ "Name": "x" }));
    }
}
