list "mailflow_exchange_outbound_connector" "ces" {
  provider         = mailflow
  include_resource = true
  limit            = 1000

  config {
    name    = "*CES*"
    enabled = true
  }
}
