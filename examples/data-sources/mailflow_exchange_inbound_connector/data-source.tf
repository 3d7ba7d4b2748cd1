data "mailflow_exchange_inbound_connector" "from_gateway" {
  name = "Inbound from Cisco CES"
}
