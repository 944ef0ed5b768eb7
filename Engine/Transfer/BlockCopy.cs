namespace NanoAspire.Engine.Transfer;

/// <summary>One KV block to read: its id at the source and the id of the local block that receives it.</summary>
public readonly record struct BlockCopy(int Source, int Destination);
