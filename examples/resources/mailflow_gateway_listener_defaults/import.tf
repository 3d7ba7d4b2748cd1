import {
  to = mailflow_gateway_listener_defaults.incoming
  id = "IncomingMail"
}
