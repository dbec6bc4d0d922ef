//! AssociateWebACL, GetWebACLForResource, DisassociateWebACL.

use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::none_if_missing;
use crate::{
    live::{Call, Clients, Driver, Sent, classify, convert::field},
    wafv2::association,
};

pub(in crate::wafv2) struct Association;
pub(in crate::wafv2) struct GetForResource;

async fn associate(clients: &Clients, acl: &str, resource: &str) -> Result<Value, CallError> {
    clients.wafv2.associate_web_acl().web_acl_arn(acl).resource_arn(resource).send().await.map_err(classify)?;
    Ok(described(acl, resource))
}

fn described(acl: &str, resource: &str) -> Value {
    json!({ "id": resource, "resource_arn": resource, "web_acl_arn": acl })
}

async fn of(clients: &Clients, resource: &str) -> Result<Option<Value>, CallError> {
    let request = clients.wafv2.get_web_acl_for_resource().resource_arn(resource);
    let answer = none_if_missing(request.send().await.map_err(classify))?;
    let acl = answer.as_ref().and_then(|answer| answer.web_acl());
    Ok(acl.map(|acl| json!({ "id": acl.id(), "name": acl.name(), "arn": acl.arn() })))
}

impl Driver for Association {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let association::Input { web_acl_arn, resource_arn } = sent.typed()?;
        associate(clients, &web_acl_arn, &resource_arn).await
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let resource = field(at, "resource_arn");
        Ok(of(clients, resource).await?.map(|acl| described(field(&acl, "arn"), resource)))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        let resource = field(at, "resource_arn");
        if let Some(before) = put_back {
            return associate(clients, field(before, "web_acl_arn"), resource).await.map(|_| ());
        }
        clients.wafv2.disassociate_web_acl().resource_arn(resource).send().await.map_err(classify).map(|_| ())
    }
}

impl Call for GetForResource {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let acl = of(clients, field(sent.input, "resource_arn")).await?;
        Ok(acl.map_or_else(|| json!({}), |acl| json!({ "web_acl": acl })))
    }
}
