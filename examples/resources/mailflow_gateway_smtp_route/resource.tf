resource "mailflow_gateway_smtp_route" "m365" {
  domain = "example.com"
  destination {
    host = "example-com.mail.protection.outlook.com"
  }
}
