//! STS and IAM: who the access keys are, and whether a presigned request is good.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{answer::Answer, emulator::Incoming, parse::Call, shared::Shared, sigv4::Presigned, xml::Element};

/// The account that moto gives to every access key it does not know.
pub const ACCOUNT: &str = "123456789012";

#[derive(Debug, Clone)]
struct Identity {
    account: String,
    secret: String,
}

/// The access keys: those that the proxy was given, and those that the emulators gave out.
#[derive(Debug, Default)]
pub struct Identities(Mutex<BTreeMap<String, Identity>>);

impl Identities {
    /// Access keys with their secrets, of the default account.
    pub fn new(keys: &[(String, String)]) -> Self {
        let identity = |secret: &String| Identity { account: ACCOUNT.to_owned(), secret: secret.clone() };
        Self(Mutex::new(keys.iter().map(|(key, secret)| (key.clone(), identity(secret))).collect()))
    }

    fn keys(&self) -> MutexGuard<'_, BTreeMap<String, Identity>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account of an access key.
    pub(super) fn account(&self, access_key: &str) -> String {
        self.keys().get(access_key).map_or_else(|| ACCOUNT.to_owned(), |identity| identity.account.clone())
    }

    fn secret(&self, access_key: &str) -> Option<String> {
        self.keys().get(access_key).map(|identity| identity.secret.clone())
    }

    /// Learns the keys that an answer gives out.
    fn learn(&self, account: &str, answer: &mut Element) {
        let role = answer.items(&[&answer.name.replace("Response", "Result"), "AssumedRoleUser"]);
        let of_role = role.iter().find(|part| part.name == "Arn").and_then(|arn| arn.text.split(':').nth(4));
        let account = of_role.unwrap_or(account).to_owned();
        answer.each(&mut |element| {
            let (key, secret) = (element.at(&["AccessKeyId"]), element.at(&["SecretAccessKey"]));
            if !key.is_empty() && !secret.is_empty() {
                let identity = Identity { account: account.clone(), secret: secret.to_owned() };
                self.keys().insert(key.to_owned(), identity);
            }
        });
    }
}

/// Answers a request to STS or IAM.
pub(super) async fn answer(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    if call.credential.presigned
        && let Some(refused) = refused(shared, incoming, call)
    {
        return refused;
    }
    let answer = shared.emulators.forward(incoming, call).await;
    let gives = ["AssumeRole", "AssumeRoleWithWebIdentity", "GetSessionToken", "GetFederationToken", "CreateAccessKey"];
    if answer.ok() && gives.contains(&call.operation.as_str()) {
        shared.identities.learn(&call.account, &mut answer.document());
    }
    answer
}

/// Why STS would refuse a presigned request.
fn refused(shared: &Shared, incoming: &Incoming, call: &Call) -> Option<Answer> {
    let presigned = Presigned::of(&incoming.uri);
    let Some(secret) = shared.identities.secret(&call.credential.access_key) else {
        let text = "The security token included in the request is invalid.";
        return Some(Answer::error(call, 403, "InvalidClientTokenId", text));
    };
    let now = jiff::Timestamp::now();
    // STS takes a presigned request for 15 minutes, whatever its X-Amz-Expires says.
    let expires = presigned.signed_at().and_then(|at| at.checked_add(jiff::SignedDuration::from_mins(15)).ok());
    if expires.is_none_or(|expires| expires < now) {
        let text = format!("Signature expired: {} is now earlier than {now}", presigned.get("X-Amz-Date"));
        return Some(Answer::error(call, 403, "SignatureDoesNotMatch", &text));
    }
    let path = incoming.uri.path();
    if presigned.is_signed_with(&secret, &incoming.method, path, &incoming.headers) {
        return None;
    }
    let text = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
                and signing method. Consult the service documentation for details.";
    Some(Answer::error(call, 403, "SignatureDoesNotMatch", text))
}
