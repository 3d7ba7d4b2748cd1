data "mailflow_gateway_smtp_route" "m365" {
  domain = "example.com"
}
