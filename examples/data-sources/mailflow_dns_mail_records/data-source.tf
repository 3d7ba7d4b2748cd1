data "mailflow_dns_mail_records" "contoso" {
  domain = "contoso.com"
}

check "mail_records" {
  assert {
    condition     = data.mailflow_dns_mail_records.contoso.dmarc.status == "found"
    error_message = "The DMARC record of contoso.com: ${coalesce(data.mailflow_dns_mail_records.contoso.dmarc.problem, "there is none")}"
  }
}
