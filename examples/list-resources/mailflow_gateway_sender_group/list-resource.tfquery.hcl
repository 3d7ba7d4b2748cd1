list "mailflow_gateway_sender_group" "relayed" {
  provider         = mailflow
  include_resource = true
  limit            = 1000

  config {
    listener = "OutgoingMail"
    policy   = "RELAYED"
  }
}
