import {
  to = mailflow_gateway_recipient_access.domain
  id = "IncomingMail/example.com"
}
