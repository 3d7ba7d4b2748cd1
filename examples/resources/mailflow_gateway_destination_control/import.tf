import {
  to = mailflow_gateway_destination_control.m365
  id = "example.com"
}
