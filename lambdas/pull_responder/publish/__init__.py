"""Where findings go. Only these modules know the formats of SNS and Security Hub."""
