data "mailflow_gateway_destination_control" "default" {
  domain = "DEFAULT" # what holds for every domain without an entry of its own
}
