list "mailflow_gateway_mail_flow_policy" "relaying" {
  provider         = mailflow
  include_resource = true
  limit            = 1000

  config {
    listener = "OutgoingMail"
    behavior = "relay"
  }
}
