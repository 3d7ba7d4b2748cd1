data "mailflow_exchange_outbound_connector" "to_gateway" {
  name = "Outbound to Cisco CES"
}
