namespace NanoAspire.Engine.Kernels;

/// <summary>Which two columns of a head make a rotated pair, among the rotated ones.</summary>
internal enum RopePairing
{
    /// <summary>i with i + rotated/2, as in GPT-NeoX, Llama and Qwen.</summary>
    Halves,
    /// <summary>2i with 2i + 1, as in GPT-J and DeepSeek.</summary>
    Neighbours,
}
