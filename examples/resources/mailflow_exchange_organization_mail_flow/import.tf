import {
  to = mailflow_exchange_organization_mail_flow.this
  id = "organization_mail_flow"
}
