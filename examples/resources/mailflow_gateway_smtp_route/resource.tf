resource "mailflow_gateway_smtp_route" "m365" {
  domain       = "example.com"
  destinations = [{ host = "example-com.mail.protection.outlook.com" }]
}
