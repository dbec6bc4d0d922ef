//! Service Quotas: moto knows the quotas of VPCs, and no default of AWS's.

use super::{answer::Answer, emulator::Incoming, parse::Call, shared::Shared};

/// Answers a request to the service.
pub(super) async fn answer(shared: &Shared, incoming: &Incoming, call: &Call) -> Answer {
    match call.operation.as_str() {
        "GetAWSDefaultServiceQuota" => {
            let text = format!("no default of {} {} is known here", call.text("ServiceCode"), call.text("QuotaCode"));
            Answer::error(call, 400, "NoSuchResourceException", &text)
        }
        _ => shared.emulators.forward(incoming, call).await,
    }
}
