terraform {
  required_providers {
    mailflow = {
      source  = "mailflow/mailflow"
      version = "~> 0.1"
    }
  }
}

provider "mailflow" {
  # ARM_TENANT_ID, ARM_CLIENT_ID and ARM_CLIENT_SECRET come from the environment.
  exchange {}

  gateway {
    host      = "esa1.example.com"
    username  = "terraform"
    password  = var.gateway_password
    host_keys = ["SHA256:8Z0rG3SVkcDk2hnqT1gqvMKo1vWfy8b3TD5JvXw0Zl8"]
  }
}

variable "gateway_password" {
  type      = string
  sensitive = true
}
