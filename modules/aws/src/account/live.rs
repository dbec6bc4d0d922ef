//! EnableRegion, GetRegionOptStatus. The SDK sends both to the one endpoint of the partition, whatever the region of the client.

use runbook_modules::error::CallError;
use serde_json::Value;

use super::region::{Input, described, is_on, never_off, sendable};
use crate::live::{Call, Clients, Driver, Sent, classify, convert::field};

pub(super) struct Region;
pub(super) struct GetRegionOptStatus;

async fn status(clients: &Clients, region: &str) -> Result<Value, CallError> {
    let answer = clients.account.get_region_opt_status().region_name(region).send().await.map_err(classify)?;
    let status = answer.region_opt_status().map(|status| status.as_str()).unwrap_or_default();
    Ok(described(answer.region_name().unwrap_or(region), status))
}

impl Driver for Region {
    /// The service has no code of its own for a region that is on, so it is looked for first.
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Input { region_name } = sent.typed()?;
        sendable(&region_name, field(&status(clients, &region_name).await?, "region_opt_status"))?;
        clients.account.enable_region().region_name(&region_name).send().await.map_err(classify)?;
        Ok(described(&region_name, "ENABLING"))
    }

    /// One that is off is none.
    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let found = status(clients, field(at, "region_name")).await?;
        Ok(Some(found).filter(|found| is_on(field(found, "region_opt_status"))))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, _: &Clients, _: &Value, _: Option<&Value>) -> Result<(), CallError> {
        Err(never_off())
    }
}

impl Call for GetRegionOptStatus {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        status(clients, field(sent.input, "region_name")).await
    }
}

#[cfg(test)]
mod tests {
    use runbook_modules::error::Class;
    use serde_json::json;

    use crate::{
        account::{call, driver},
        live::testing::{Answer, Wire, json_answer, sent, tags},
    };

    fn standing(status: &str) -> Answer {
        json_answer(200, json!({ "RegionName": "eu-south-1", "RegionOptStatus": status }))
    }

    #[tokio::test]
    async fn enable_region_looks_first_and_goes_to_the_one_endpoint() {
        let wire = Wire::answering([standing("DISABLED"), json_answer(200, json!({})), standing("ENABLING")]);
        let (input, tags) = (json!({ "region_name": "eu-south-1" }), tags());
        let region = driver("account.region").unwrap();
        let made = region.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
        assert_eq!((&made["id"], &made["region_opt_status"]), (&json!("eu-south-1"), &json!("ENABLING")));
        assert_eq!(region.read(&wire.clients, &input).await.unwrap(), Some(made));
        let seen = wire.seen();
        let paths: Vec<_> = seen.iter().map(|seen| (seen.method.as_str(), seen.path())).collect();
        let status = || ("POST", "/getRegionOptStatus".to_owned());
        assert_eq!(paths, [status(), ("POST", "/enableRegion".to_owned()), status()]);
        assert_eq!(seen[1].json(), json!({ "RegionName": "eu-south-1" }));
        assert!(seen[1].uri.starts_with("https://account.us-east-1."), "{}", seen[1].uri);
    }

    #[tokio::test]
    async fn one_that_is_on_is_found_and_one_that_is_off_is_none() {
        let wire = Wire::answering([
            standing("ENABLED"),
            standing("ENABLED_BY_DEFAULT"),
            standing("DISABLING"),
            standing("DISABLED"),
        ]);
        let (input, tags) = (json!({ "region_name": "eu-south-1" }), tags());
        let region = driver("account.region").unwrap();
        let exists = region.create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
        assert_eq!(exists.class, Class::AlreadyExists);
        assert_eq!(region.find(&wire.clients, &sent(&input, &tags)).await.unwrap().len(), 1);
        assert_eq!(region.read(&wire.clients, &input).await.unwrap(), None);
        let told = call("account.get_region_opt_status").unwrap().call(&wire.clients, &sent(&input, &tags)).await;
        assert_eq!(told.unwrap()["region_opt_status"], "DISABLED");
        assert_eq!(region.delete(&wire.clients, &input, None).await.unwrap_err().class, Class::Refused);
        assert_eq!(wire.seen().len(), 4, "nothing is sent to switch one off");
    }

    #[tokio::test]
    async fn one_that_is_being_switched_off_is_waited_for() {
        let wire = Wire::answering([standing("DISABLING")]);
        let (input, tags) = (json!({ "region_name": "eu-south-1" }), tags());
        let error = driver("account.region").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (Class::NotYet, "RegionDisabling"));
        assert_eq!(wire.seen().len(), 1, "nothing was sent");
    }
}
