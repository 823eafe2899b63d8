extension CatalogueData {
    /// Hosts of other people's models, with static keys and OpenAI's dialect. Environment keys: spec/credential-formats.md §7.7.
    static let hosts = """
        {
          cerebras: { baseURL: "https://api.cerebras.ai", limitHeaders: ["openai"], environmentKeys: ["CEREBRAS_API_KEY"] },
          dashscope: { baseURL: "https://dashscope-intl.aliyuncs.com", environmentKeys: ["DASHSCOPE_API_KEY"] },
          // Speech, not chat; its keys have a scheme of their own.
          deepgram: {
            baseURL: "https://api.deepgram.com",
            auth: { api_key: { header: "authorization", prefix: "Token " } },
            errorShape: "plain",
            environmentKeys: ["DEEPGRAM_API_KEY"],
          },
          huggingface: { baseURL: "https://router.huggingface.co", environmentKeys: ["HUGGINGFACE_HUB_TOKEN", "HF_TOKEN"] },
          // Kimi Code, a plan of its own: keys of moonshot mean nothing here.
          "kimi-coding": {
            baseURL: "https://api.kimi.com/coding",
            billing: "subscription",
            environmentKeys: ["KIMI_API_KEY", "KIMICODE_API_KEY"],
          },
          minimax: { baseURL: "https://api.minimax.io", environmentKeys: ["MINIMAX_API_KEY"] },
          nvidia: { baseURL: "https://integrate.api.nvidia.com", environmentKeys: ["NVIDIA_API_KEY"] },
          opencode: { baseURL: "https://opencode.ai/zen", environmentKeys: ["OPENCODE_API_KEY", "OPENCODE_ZEN_API_KEY"] },
          synthetic: { baseURL: "https://api.synthetic.new", environmentKeys: ["SYNTHETIC_API_KEY"] },
          together: { baseURL: "https://api.together.xyz", limitHeaders: ["openai"], environmentKeys: ["TOGETHER_API_KEY"] },
          venice: { baseURL: "https://api.venice.ai", limitHeaders: ["openai"], environmentKeys: ["VENICE_API_KEY"] },
          "vercel-ai-gateway": { baseURL: "https://ai-gateway.vercel.sh", environmentKeys: ["AI_GATEWAY_API_KEY"] },
        }
        """
}
