resource "mailflow_exchange_arc_config" "this" {
  arc_trusted_sealers = ["gateway.example.com"]
}
