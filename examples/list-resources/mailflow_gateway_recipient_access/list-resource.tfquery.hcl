list "mailflow_gateway_recipient_access" "incoming" {
  provider         = mailflow
  include_resource = true
  limit            = 1000

  config {
    listener = "IncomingMail"
  }
}
