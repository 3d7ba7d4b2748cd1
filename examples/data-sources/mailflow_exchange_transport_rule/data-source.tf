data "mailflow_exchange_transport_rule" "outbound" {
  name = "Outbound to Cisco CES"
}
