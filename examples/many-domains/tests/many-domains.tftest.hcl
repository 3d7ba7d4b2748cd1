# terraform test: against mocked providers. No gateway and no credentials are needed.

mock_provider "mailflow" {
  alias = "east"
}

mock_provider "mailflow" {
  alias = "west"
}

variables {
  domains = {
    "example.com" = "example-com.mail.protection.outlook.com"
    "example.net" = "example-net.a-v1.mx.microsoft"
  }
  gateways = {
    east = { host = "esa1.example.com", host_keys = ["SHA256:8Z0rG3SVkcDk2hnqT1gqvMKo1vWfy8b3TD5JvXw0Zl8"] }
    west = { host = "esa2.example.com", host_keys = ["SHA256:8Z0rG3SVkcDk2hnqT1gqvMKo1vWfy8b3TD5JvXw0Zl8"], listener = "MailFlow" }
  }
  gateway_username = "terraform"
  gateway_password = "not-a-real-one"
}

run "both_gateways_route_every_domain_to_its_own_host" {
  command = plan

  assert {
    condition     = tomap(output.routes.east) == var.domains && tomap(output.routes.west) == var.domains
    error_message = "The gateways differ, or a domain is missing."
  }
}

run "a_domain_in_capitals_is_refused" {
  command = plan

  variables {
    domains = { "Example.com" = "example-com.mail.protection.outlook.com" }
  }

  expect_failures = [var.domains]
}
