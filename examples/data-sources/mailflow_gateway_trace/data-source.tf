# What the gateway would do with mail of another tenant: without the secret, it must be dropped.
data "mailflow_gateway_trace" "foreign" {
  listener    = "OutgoingMail"
  source_ip   = "40.107.22.104"
  source_host = "mail-x.outbound.protection.outlook.com"
  mail_from   = "someone@another-tenant.example"
  rcpt_to     = ["someone@example.net"]
  headers     = { Subject = "Without the secret" }
}

check "foreign_mail_is_dropped" {
  assert {
    condition     = contains(["dropped", "rejected"], data.mailflow_gateway_trace.foreign.outcome)
    error_message = "The gateway relays mail of other tenants."
  }
}
