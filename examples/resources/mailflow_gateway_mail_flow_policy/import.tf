import {
  to = mailflow_gateway_mail_flow_policy.relayed
  id = "OutgoingMail/RELAYED_O365"
}
