resource "mailflow_gateway_destination_control" "m365" {
  domain                      = "example.com"
  concurrency_limit           = 10
  max_messages_per_connection = 20
  tls                         = "preferred"
}
