data "mailflow_dns_mx" "this" {
  domain   = "example.com"
  resolver = "192.0.2.53" # left out: the servers of this machine
}

check "mail_comes_to_the_gateway" {
  assert {
    condition     = try(data.mailflow_dns_mx.this.mx_records[0].host, "") == "mx.example.com"
    error_message = "The preferred MX record does not name the gateway."
  }
}
