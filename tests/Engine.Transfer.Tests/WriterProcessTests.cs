namespace NanoAspire.Engine.Transfer.Tests;

public sealed class TcpWriterProcessTests() : WriterContract("tcp");

public sealed class SharedMemoryWriterProcessTests() : WriterContract("shm");

[Trait("needs", "ucx")]
public sealed class UcxWriterProcessTests() : WriterContract("ucx");
