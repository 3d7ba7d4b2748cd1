import {
  to = mailflow_gateway_smtp_route.m365
  id = "example.com"
}
