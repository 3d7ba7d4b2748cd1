list "mailflow_exchange_inbound_connector" "ces" {
  provider         = mailflow
  include_resource = true
  limit            = 1000

  config {
    name           = "*CES*"
    connector_type = "Partner"
  }
}
