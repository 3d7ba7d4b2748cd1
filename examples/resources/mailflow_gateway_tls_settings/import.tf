import {
  to = mailflow_gateway_tls_settings.this
  id = "tls_settings"
}
