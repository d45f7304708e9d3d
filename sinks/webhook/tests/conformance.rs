//! What every sink must do.

use watchbell_sink::{
    conformance,
    testkit::{conformance::Suite, server::Answer},
};
use watchbell_webhook::WebhookConfig;

const SECRET: &str = "whsec_aHVudGVyMi1odW50ZXIyLWh1bnRlcjIt";
const PATH: &str = "T0hunter2/hooks-hunter2";
const HEADER: &str = "hunter2-api-key";

conformance!(http WebhookConfig, Suite::http(
    |address| format!(
        "url = \"http://{address}/{PATH}\"\nallow_private = true\nsecret = \"{SECRET}\"\n\
         headers = {{ X-Api-Key = \"{HEADER}\" }}"
    ),
    |_| Answer::status(204),
)
.secret(SECRET)
.secret(PATH)
.secret("hooks-hunter2")
.secret(HEADER)
.varies("webhook-timestamp")
.varies("webhook-signature")
.variable("WEBHOOK_SECRET", SECRET)
.reaches_only());
