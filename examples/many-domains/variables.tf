variable "domains" {
  description = "The host at which Microsoft 365 takes mail, by domain. It differs per domain: copy it from the admin center, never compose it."
  type        = map(string)

  validation {
    condition     = length(var.domains) > 0 && alltrue([for domain in keys(var.domains) : lower(domain) == domain])
    error_message = "Give at least one domain, in lower case."
  }
}

variable "gateways" {
  description = "The two gateways."
  type = object({
    east = object({
      host      = string
      port      = optional(number, 22)
      host_keys = set(string)
      listener  = optional(string, "IncomingMail")
    })
    west = object({
      host      = string
      port      = optional(number, 22)
      host_keys = set(string)
      listener  = optional(string, "IncomingMail")
    })
  })
}

variable "gateway_username" {
  description = "The account at both gateways that Terraform uses; give it one of its own."
  type        = string
}

variable "gateway_password" {
  description = "The passphrase of that account."
  type        = string
  sensitive   = true
  ephemeral   = true
}
