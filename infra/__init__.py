"""The CDK stack: one file a construct."""
